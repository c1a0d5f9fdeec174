"""What is left of each limit: one row for each guarantee of each insurance year begun (I1, D7)."""
