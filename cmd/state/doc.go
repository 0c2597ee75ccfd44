// Package state is amble state: it checks, counts and compacts the state that a crawl
// keeps, and names the URLs in it. It also finds the state that an argument names, for
// other commands that look into one.
//
// Of a damaged state it says what is wrong and what can be saved. It changes nothing but
// when it compacts, and refuses a state that a run is at work on.
package state
