package main

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// reconciler makes a Course so: finalizer, rows, bucket, exchange with its binding, status, Event.
type reconciler struct {
	client.Client
	events  events.EventRecorder
	rows    rows
	buckets buckets
	wires   wires
}

// Reconcile writes to the Kubernetes API twice for a new Course and not at all for one that is done.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	course := &Course{}
	if err := r.Get(ctx, request.NamespacedName, course); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if course.Status.ObservedGeneration == course.Generation {
		return ctrl.Result{}, nil
	}
	before := course.DeepCopyObject().(*Course)
	if controllerutil.AddFinalizer(course, Finalizer) {
		if err := r.Patch(ctx, course, atVersion(before)); err != nil {
			return ctrl.Result{}, err
		}
	}
	tenant := course.Namespace
	known, err := r.rows.apply(ctx, tenant, course)
	if err != nil {
		return ctrl.Result{}, err
	}
	bucket := bucketName(tenant, course.Name)
	if err := r.buckets.ensure(ctx, bucket); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.wires.ensure(tenant, course.Name); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.tell(ctx, course, known, bucket)
}

// tell writes the status in one patch and posts one Event.
func (r *reconciler) tell(ctx context.Context, course *Course, known stored, bucket string) error {
	before := course.DeepCopyObject().(*Course)
	status := &course.Status
	for _, condition := range []metav1.Condition{
		{Type: "Ready", Reason: "Reconciled", Message: "Version 1 is live."},
		{Type: "RowsSynced", Reason: "Reconciled", Message: "The content is stored."},
		{Type: "BucketReady", Reason: "Reconciled", Message: "The bucket is in place."},
		{Type: "BindingsReady", Reason: "Reconciled", Message: "Exchanges and bindings are in place."},
	} {
		condition.Status = metav1.ConditionTrue
		condition.ObservedGeneration = course.Generation
		meta.SetStatusCondition(&status.Conditions, condition)
	}
	status.ObservedGeneration = course.Generation
	status.ID, status.Digest, status.Lessons = known.ID.String(), known.Digest, known.Lessons
	status.Version, status.PublishedVersion = 1, 1
	status.Learners = &known.Learners
	status.Bucket, status.Lifecycle = bucket, course.Spec.Lifecycle
	if err := r.Status().Patch(ctx, course, atVersion(before)); err != nil {
		return err
	}
	ctrl.LoggerFrom(ctx).Info("event", "reason", "Reconciled", "message", "Version 1 is live.")
	r.events.Eventf(course, nil, corev1.EventTypeNormal, "Reconciled", "Reconcile", "Version 1 is live.")
	return nil
}

// atVersion is a patch that fails when the object has changed meanwhile.
func atVersion(before client.Object) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}
