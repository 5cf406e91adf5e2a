//! What should not stand in a text: links that carry data away, code and SQL, another language, too much of it.
