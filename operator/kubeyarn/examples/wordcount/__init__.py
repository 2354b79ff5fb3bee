"""Word count on YARN: maps and reduces in containers, exact whatever is killed on the way."""
