"""The rules of Cyber Care: pure, without database, clock or framework.

Everything here is a function of what it is given. It imports pydantic and the standard library only.
"""
