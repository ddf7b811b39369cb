"""Assessment owns questions, exams, attempts, every score, the grade book and mastery.

Declared: QuestionPool and ExamConfig (``authoring``). Replicas of siblings' facts: courses, cohorts'
dates and enrolments. Events out: ``assessment.exam.scheduled``, ``attempt.submitted``, ``exam.graded``,
``mastery.changed`` and ``score.released``; in: ``course.content.published``, ``course.enrolment.created`` and
``profile.cohort.declared``. RPCs: ``ListMastery``, ``ListScores`` and both in batches, released facts only.
"""
