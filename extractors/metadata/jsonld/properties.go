package jsonld

import "strings"

// urlProperties are those of schema.org whose texts are addresses, that is whose
// range has URL and no other text. Addresses in them may be relative.
var urlProperties = func() map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(`
		acquireLicensePage actionableFeedbackPolicy archivedAt
		codeRepository contentUrl correctionsPolicy discussionUrl diversityPolicy
		diversityStaffingReport downloadUrl embedUrl ethicsPolicy 
		hasMap image item installUrl item isBasedOnUrl license logo
		mainEntityOfPage map maps masthead menu merchantReturnLink missionCoveragePrioritiesPolicy
		noBylinesPolicy ownershipFundingInfo photo publishingPrinciples relatedLink
		replyToUrl returnLabelLink sameAs screenshot serviceUrl shippingSettingsLink
		significantLink softwareHelp targetUrl thumbnailUrl tourBookingPage
		trackingUrl unnamedSourcesPolicy url usageInfo verificationFactCheckingPolicy
	`) {
		set[name] = true
	}
	return set
}()
