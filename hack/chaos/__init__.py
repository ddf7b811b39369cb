"""Many learners' journeys under a storm of faults, and the proof that nothing was lost, doubled or reordered."""
