"""What a visitor can take away of the picture on screen: code, a report, all files."""
