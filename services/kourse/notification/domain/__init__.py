"""Pure rules of notification: what there is to tell, what earns points, when to try again."""
