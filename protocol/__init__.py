"""What terminal, settlement and wallet say to each other: values, their bytes, and the proofs that bind them."""
