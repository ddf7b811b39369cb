"""Pure rules of courses: what a version is, when it may go live, and what must hold in a document."""
