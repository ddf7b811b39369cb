package main

import (
	"encoding/json"
	"fmt"

	"kourse.dev/tests/interop/events"
)

// handlers say what follows from an event. A type without one is taken note of and passed over.
var handlers = map[string]func(body []byte) (string, error){
	events.TypeUserRegistered: on(func(e events.UserRegistered) (string, error) {
		return fmt.Sprintf("welcome %s in %s", e.UserID, e.Locale), nil
	}),
	// The code itself never travels: whoever sends it redeems the delivery over gRPC, just once.
	events.TypeVerificationRequested: on(func(e events.VerificationRequested) (string, error) {
		return fmt.Sprintf("one-time code %s for %s", e.DeliveryID, e.UserID), nil
	}),
	events.TypeContentPublished: on(func(e events.ContentPublished) (string, error) {
		return fmt.Sprintf("%s is live in version %d", e.Course, e.Version), nil
	}),
	events.TypeAssignmentCreated: on(func(e events.AssignmentCreated) (string, error) {
		if e.DueAt == nil {
			return fmt.Sprintf("%s is never due", e.Assignment), nil
		}
		return fmt.Sprintf("%s is due %s", e.Assignment, e.DueAt.UTC().Format("2006-01-02 15:04")), nil
	}),
	events.TypeLessonCompleted: on(func(e events.LessonCompleted) (string, error) {
		return fmt.Sprintf("%s completed %s, %d of %d", e.LearnerID, e.Lesson, e.Completed, e.Total), nil
	}),
	events.TypeExamGraded: on(func(e events.ExamGraded) (string, error) {
		return fmt.Sprintf("%s graded in run %d", e.Exam, e.Run), nil
	}),
}

// on decodes the payload for a function of its type; fields that it does not know are ignored.
func on[T any](handle func(T) (string, error)) func([]byte) (string, error) {
	return func(body []byte) (string, error) {
		var event T
		if err := json.Unmarshal(body, &event); err != nil {
			return "", fmt.Errorf("undecodable: %w", err)
		}
		return handle(event)
	}
}
