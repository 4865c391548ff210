"""The panel's parts: inputs for fields, views for runs, and the stage that both stand on."""
