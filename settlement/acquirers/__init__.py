"""Who moves the shopper's money, behind one port."""
