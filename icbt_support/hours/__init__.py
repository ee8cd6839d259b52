"""Protected review slots, bookings, absence, cover, duty and bank holidays."""
