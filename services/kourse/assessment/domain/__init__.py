"""Pure parts of assessment: how exams are composed, shown, timed, released and checked."""
