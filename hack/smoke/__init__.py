"""The main job end to end, over REST and kubectl only, as a new learner and a platform team see it."""
