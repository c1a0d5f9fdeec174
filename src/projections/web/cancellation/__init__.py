"""The customer's cancellation: a public form, confirmed by a link that was sent to them, or by the desk."""
