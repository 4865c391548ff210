"""Signature to form, form to arguments, call to events, value to output: the same for every face."""
