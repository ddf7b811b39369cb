"""What goes in and out of notification over HTTP."""
