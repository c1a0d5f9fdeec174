"""The sealed feed: who reads it, who follows it, and what others are told of it."""
