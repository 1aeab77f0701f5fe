"""The OsonSMS protocol, without I/O and without a clock: words, errors, requests, answers, flows."""
