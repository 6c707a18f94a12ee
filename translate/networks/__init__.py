"""Networks: modules with keyword-only constructors, that know no loss, no data and no paper."""
