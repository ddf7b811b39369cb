"""What goes in and out over HTTP; what a learner may not know has no field in their views.

Decimals (points, percentages, shares) are strings: exact where a finite decimal exists, else with six
places. Round them for people only.
"""

from kourse.assessment.schemas.declared import AppliedView, DeclaredView
from kourse.assessment.schemas.gradables import (
    FeedbackView,
    GradableView,
    GradeOrder,
    GradingView,
    OverrideOrder,
    ReleasedGradings,
    ReleaseGradings,
    SheetView,
)
from kourse.assessment.schemas.grades import GradebookView, GradeReasonsView
from kourse.assessment.schemas.practice import (
    CheckAnswer,
    CheckedView,
    MasteryList,
    MasteryView,
    PracticeList,
    PracticeView,
)
from kourse.assessment.schemas.taking import (
    AttemptSummary,
    AttemptView,
    ExamList,
    ExamView,
    ResultView,
    SaveAnswer,
    SavedView,
)
from kourse.assessment.schemas.teaching import (
    ItemView,
    ReleasedView,
    ReleaseOrder,
    StatisticsView,
    WatchedView,
)

__all__ = [
    "AppliedView",
    "AttemptSummary",
    "AttemptView",
    "CheckAnswer",
    "CheckedView",
    "DeclaredView",
    "ExamList",
    "ExamView",
    "FeedbackView",
    "GradableView",
    "GradeOrder",
    "GradeReasonsView",
    "GradebookView",
    "GradingView",
    "ItemView",
    "MasteryList",
    "MasteryView",
    "OverrideOrder",
    "PracticeList",
    "PracticeView",
    "ReleaseGradings",
    "ReleaseOrder",
    "ReleasedGradings",
    "ReleasedView",
    "ResultView",
    "SaveAnswer",
    "SavedView",
    "SheetView",
    "StatisticsView",
    "WatchedView",
]
