"""The diary: at which instant time will next owe a stream something."""
