package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Finalizer is the one of the platform's own operator.
const Finalizer = "kourse.dev/operator"

var groupVersion = schema.GroupVersion{Group: "kourse.dev", Version: "v1alpha1"}

// Course is as much of the custom resource as the measured work needs.
type Course struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              CourseSpec   `json:"spec"`
	Status            CourseStatus `json:"status,omitempty"`
}

type CourseSpec struct {
	Title      string    `json:"title"`
	Summary    string    `json:"summary"`
	Level      string    `json:"level,omitempty"`
	Language   string    `json:"language,omitempty"`
	TimeZone   string    `json:"timeZone,omitempty"`
	Visibility string    `json:"visibility,omitempty"`
	Enrolment  string    `json:"enrolment,omitempty"`
	Lifecycle  string    `json:"lifecycle,omitempty"`
	Chapters   []Chapter `json:"chapters"`
}

type Chapter struct {
	Key     string   `json:"key"`
	Title   string   `json:"title"`
	Lessons []Lesson `json:"lessons"`
}

type Lesson struct {
	Key     string `json:"key"`
	Title   string `json:"title"`
	Text    string `json:"text,omitempty"`
	Minutes int    `json:"minutes,omitempty"`
}

type CourseStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
	ID                 string             `json:"id,omitempty"`
	Bucket             string             `json:"bucket,omitempty"`
	Version            int                `json:"version,omitempty"`
	PublishedVersion   int                `json:"publishedVersion,omitempty"`
	Digest             string             `json:"digest,omitempty"`
	Lessons            int                `json:"lessons,omitempty"`
	Learners           *int               `json:"learners,omitempty"`
	Lifecycle          string             `json:"lifecycle,omitempty"`
}

// DeepCopyObject is called for every read from the cache, so it copies by hand.
func (c *Course) DeepCopyObject() runtime.Object {
	out := *c
	c.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.Chapters = make([]Chapter, len(c.Spec.Chapters))
	for i, chapter := range c.Spec.Chapters {
		chapter.Lessons = append([]Lesson(nil), chapter.Lessons...)
		out.Spec.Chapters[i] = chapter
	}
	out.Status.Conditions = append([]metav1.Condition(nil), c.Status.Conditions...)
	return &out
}

// CourseList is what a list of courses is read into.
type CourseList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Course `json:"items"`
}

func (l *CourseList) DeepCopyObject() runtime.Object {
	out := *l
	out.Items = make([]Course, len(l.Items))
	for i := range l.Items {
		out.Items[i] = *l.Items[i].DeepCopyObject().(*Course)
	}
	return &out
}

func addToScheme(scheme *runtime.Scheme) {
	scheme.AddKnownTypes(groupVersion, &Course{}, &CourseList{})
	metav1.AddToGroupVersion(scheme, groupVersion)
}
