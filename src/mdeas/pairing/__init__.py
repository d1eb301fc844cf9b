"""Do two photos fit, and can the background be brought to fit?"""
