"""nbfunc beside func-to-web, on the same machine in the same run: ``make bench``."""
