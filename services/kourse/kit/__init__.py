"""Technical tools that every service needs, without one noun of the domain."""
