"""Import of official files into the register: reading, staging, classification in SQL, report."""
