//! Prompt injection and jailbreaks: texts that try to give the model another master.
