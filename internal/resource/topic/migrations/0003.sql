-- Schema 3. Who made a subscription: an event source of a release (1) or a client of the API (0). NULL: an older server, for either.

ALTER TABLE subscriptions ADD COLUMN sourced INTEGER;
