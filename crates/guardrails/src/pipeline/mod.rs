//! Guards in layers: policies, budgets, verdicts.
