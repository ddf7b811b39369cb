"""Course owns content versions, assets, enrolments and progress.

Declared: Course (``authoring``). Replicas of siblings' facts: cohorts, exams and released scores.
Events out: ``course.content.published``, ``course.assignment.created``, ``course.enrolment.created`` and
``course.lesson.completed``; in: ``profile.cohort.declared``, ``profile.group.joined``,
``assessment.exam.scheduled`` and ``assessment.score.released``. RPCs: ``GetStructure`` and
``ListProgress``.
"""
