"""What the page's tabs share."""
