//! Small classifiers over n-grams of characters and words: trained, calibrated and read here.
