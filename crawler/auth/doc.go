// Package auth adds credentials to requests on their way to the network, so that they
// are nowhere else: not in a URL that is stored, not in a record, not in a log.
//
// A Transport holds the credentials of some hosts: a bearer token, a user with a
// password, a key in a header field or in the query, or a client of OAuth 2.0 (RFC
// 6749 section 4.4, client credentials). What it sends goes to the host that it is
// for and to no other: requests are looked at one by one, as redirects are not
// followed below it.
//
// A key in the query is added to the request that is sent, and taken out of the
// address that a redirect leads to.
//
// A token of OAuth is fetched when it is first needed and when the last one is about
// to end: by one request at a time, with a deadline, through the transport that it is
// given, without following redirects. After a failure there is none for a while that
// grows, whoever asks. When a host refuses a token with 401, the answer is marked with
// crawler.HeaderRenewed, so that the request may be sent again with a new one.
//
// In times of trouble, when no token can be had or new ones are refused as well, Waits
// has the host left alone but for one request at a time, which tries whether they are
// over. That request is told of the failure; others, which may be on their way, are told
// crawler.ErrNotSent. Before there was any token nobody is told of a failure: after some of
// them, and while no other host answers, requests are told crawler.ErrStop, since the
// address of the tokens is wrong more likely than not. Trouble of an hour is taken for
// lasting, and so is a refusal of credentials of which no token was ever accepted.
package auth
