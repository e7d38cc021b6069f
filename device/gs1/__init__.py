"""Numbers and texts of GS1: goods, weights, dates, coupons and links, as codes carry them."""
