package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var namespaceID = uuid.MustParse("6f1d7f3e-6d0b-5a52-9d3f-2f1f0a6f0c11")

const (
	setTenant = `SELECT set_config('app.tenant', $1, true)`
	document  = `
INSERT INTO course.document AS d (tenant, kind, name, id, source, uid, generation, digest, spec)
VALUES ($1, 'Course', $2, $3, 'resource', $4, $5, $6, $7)
ON CONFLICT (tenant, kind, name) DO UPDATE SET uid = excluded.uid, generation = excluded.generation,
  digest = excluded.digest, spec = excluded.spec, retired_at = NULL, updated_at = clock_timestamp()
WHERE d.uid <> excluded.uid OR d.generation <= excluded.generation`
	course = `
INSERT INTO course.course (id, tenant, name, lifecycle, current_version, live_version, visibility,
  enrolment_mode, policy)
VALUES ($1, $2, $3, $4, 1, 1, $5, $6, '{}')
ON CONFLICT (id) DO UPDATE SET lifecycle = excluded.lifecycle, visibility = excluded.visibility,
  enrolment_mode = excluded.enrolment_mode, retired_at = NULL, updated_at = clock_timestamp()`
	version = `
INSERT INTO course.course_version (course_id, number, tenant, title, time_zone, digest, lifecycle,
  eligible, content, live_at)
VALUES ($1, 1, $2, $3, $4, $5, $6, true, $7, clock_timestamp()) ON CONFLICT DO NOTHING`
	chapters = `
INSERT INTO course.chapter (course_id, version, tenant, key, id, position, title)
SELECT $1, 1, $2, * FROM unnest($3::text[], $4::uuid[], $5::smallint[], $6::text[])
ON CONFLICT DO NOTHING`
	lessons = `
INSERT INTO course.lesson (course_id, version, tenant, key, id, chapter, position, title, minutes,
  text, skills, assets, practice)
SELECT $1, 1, $2, l.*, '{}', '[]', '[]' FROM unnest($3::text[], $4::uuid[], $5::text[],
  $6::smallint[], $7::text[], $8::smallint[], $9::text[]) l
ON CONFLICT DO NOTHING`
	announcement = `
WITH sequence AS (
  INSERT INTO course.event_sequence AS s (tenant, stream, entity, last_seq)
  VALUES ($1, 'content', $2, 1)
  ON CONFLICT (tenant, stream, entity) DO UPDATE SET last_seq = s.last_seq + 1
  RETURNING s.last_seq, s.started_at
)
INSERT INTO course.outbox (event_id, tenant, stream, entity, seq, started_at, type, version,
  payload, headers, routing_key, part)
SELECT $3, $1, 'content', $2, last_seq, started_at, 'course.content.published', 1, $4, '{}', $5, $6
FROM sequence`
	stopWaiting = `DELETE FROM course.document_wait WHERE tenant = $1 AND kind = 'Course' AND name = $2`
	wakeWaiting = `
WITH woken AS (DELETE FROM course.document_wait WHERE tenant = $1 RETURNING tenant, kind, name)
SELECT pg_notify('kourse_wake', row_to_json(woken)::text) FROM woken`
	countLearners = `
SELECT count(*) FROM course.enrolment WHERE course_id = $1 AND status = 'active'`
	wakeRelay = `SELECT pg_notify('kourse_outbox', 'course')`
	wakePause = 20 * time.Millisecond
)

// rows writes what a course is in the database: in one round trip and one transaction.
type rows struct {
	pool    *pgxpool.Pool
	fence   *fence
	written chan struct{}
}

// stored is what the status tells of it.
type stored struct {
	ID       uuid.UUID
	Digest   string
	Lessons  int
	Learners int
}

func newRows(ctx context.Context, pool *pgxpool.Pool) rows {
	made := rows{pool, &fence{pool: pool}, make(chan struct{}, 1)}
	go made.wakeRelays(ctx)
	return made
}

// wakeRelays tells the relays of what was committed, at most once for each pause.
func (r rows) wakeRelays(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.written:
			_, _ = r.pool.Exec(ctx, wakeRelay)
			time.Sleep(wakePause)
		}
	}
}

func (r rows) apply(ctx context.Context, tenant string, c *Course) (stored, error) {
	content, err := json.Marshal(c.Spec)
	if err != nil {
		return stored{}, err
	}
	sum := sha256.Sum256(content)
	digest := hex.EncodeToString(sum[:])
	id := uuid.NewSHA1(namespaceID, []byte(tenant+"/Course/"+c.Name))
	batch := &pgx.Batch{}
	if err := r.fence.guard(ctx, batch); err != nil {
		return stored{}, err
	}
	batch.Queue(setTenant, tenant)
	batch.Queue(document, tenant, c.Name, id, string(c.UID), c.Generation, digest, content)
	batch.Queue(course, id, tenant, c.Name, c.Spec.Lifecycle, c.Spec.Visibility, c.Spec.Enrolment)
	batch.Queue(version, id, tenant, c.Spec.Title, c.Spec.TimeZone, digest, c.Spec.Lifecycle, content)
	known := queueParts(batch, tenant, id, c)
	if err := queueEvent(batch, tenant, id, c, digest, known); err != nil {
		return stored{}, err
	}
	batch.Queue(stopWaiting, tenant, c.Name)
	batch.Queue(wakeWaiting, tenant)
	made := stored{ID: id, Digest: digest, Lessons: len(known)}
	batch.Queue(countLearners, id).QueryRow(func(row pgx.Row) error { return row.Scan(&made.Learners) })
	if err := r.pool.SendBatch(ctx, batch).Close(); err != nil {
		return stored{}, err
	}
	select {
	case r.written <- struct{}{}:
	default:
	}
	return made, nil
}

// publishedLesson is a lesson as the event tells of it.
type publishedLesson struct {
	ID       uuid.UUID         `json:"id"`
	Key      string            `json:"key"`
	Title    string            `json:"title"`
	Chapter  string            `json:"chapter"`
	Skills   []string          `json:"skills"`
	Practice map[string]string `json:"practice"`
}

func queueParts(batch *pgx.Batch, tenant string, id uuid.UUID, c *Course) []publishedLesson {
	var keys, titles, lessonKeys, owners, lessonTitles, texts []string
	var ids, lessonIDs []uuid.UUID
	var positions, lessonPositions, minutes []int16
	var known []publishedLesson
	for i, chapter := range c.Spec.Chapters {
		keys, titles = append(keys, chapter.Key), append(titles, chapter.Title)
		ids = append(ids, uuid.NewSHA1(id, []byte("chapter/"+chapter.Key)))
		positions = append(positions, int16(i))
		for _, lesson := range chapter.Lessons {
			lessonID := uuid.NewSHA1(id, []byte("lesson/"+lesson.Key))
			lessonKeys, owners = append(lessonKeys, lesson.Key), append(owners, chapter.Key)
			lessonTitles, texts = append(lessonTitles, lesson.Title), append(texts, lesson.Text)
			lessonIDs = append(lessonIDs, lessonID)
			lessonPositions = append(lessonPositions, int16(len(known)))
			minutes = append(minutes, int16(lesson.Minutes))
			known = append(known, publishedLesson{lessonID, lesson.Key, lesson.Title, chapter.Key,
				[]string{}, map[string]string{}})
		}
	}
	batch.Queue(chapters, id, tenant, keys, ids, positions, titles)
	batch.Queue(lessons, id, tenant, lessonKeys, lessonIDs, owners, lessonPositions, lessonTitles,
		minutes, texts)
	return known
}

func queueEvent(
	batch *pgx.Batch, tenant string, id uuid.UUID, c *Course, digest string, known []publishedLesson,
) error {
	payload, err := json.Marshal(map[string]any{
		"course_id": id, "course": c.Name, "title": c.Spec.Title, "version": 1, "digest": digest,
		"time_zone": c.Spec.TimeZone, "lessons": known, "skills": []string{}, "categories": []string{},
		"remediation_below": 0.8, "challenge_from": 0.95,
	})
	if err != nil {
		return err
	}
	eventID, err := uuid.NewV7()
	if err != nil {
		return err
	}
	part := crc32.ChecksumIEEE([]byte(id.String())) % 16
	key := fmt.Sprintf("course.content.published.%s.%s._.p%02d", tenant, c.Name, part)
	batch.Queue(announcement, tenant, id.String(), eventID, payload, key, int16(part))
	return nil
}
