"""Programs in: each frontend turns a captured or declared program into a `Model`."""
