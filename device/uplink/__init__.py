"""Journal to broker; decisions, receipts and answers back."""
