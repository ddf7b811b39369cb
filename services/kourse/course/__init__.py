"""Course owns content versions, assets, enrolments and progress.

Declared: Course (``authoring``). Replicas of siblings' facts: cohorts, exams, released scores
and mastery.
Events out: ``course.content.published``, ``course.assignment.created``, ``course.enrolment.created`` and
``course.lesson.completed``; in: ``profile.cohort.declared``, ``profile.group.joined``,
``assessment.exam.scheduled``, ``assessment.mastery.changed`` and ``assessment.score.released``. RPCs:
``GetStructure``, ``ListProgress`` and ``BatchListProgress``.
"""
