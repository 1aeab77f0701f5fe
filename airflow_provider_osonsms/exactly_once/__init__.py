"""What makes a second try safe: who is sending, what is remembered of earlier tries, one message."""
