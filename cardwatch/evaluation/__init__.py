"""Plants known matters in real history and measures what is found, and how soon."""
