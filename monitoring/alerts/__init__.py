"""Rules, the alerts that they raise, and who hears of them."""
