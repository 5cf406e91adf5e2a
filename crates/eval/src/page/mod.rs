//! A report of runs side by side: one HTML file that needs no server.
