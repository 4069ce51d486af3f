package leak

import "strings"

// issuer says who gave a secret out and where it is taken back.
type issuer struct {
	prefix string // of the patterns' ids
	name   string
	revoke string
}

// issuers are known by the beginning of a pattern's id; the first that fits decides.
var issuers = []issuer{
	{"age-", "age", "Make a new identity, seal every file it opens to the new recipient with a fresh data key, then change the values: who has this identity reads the history."},
	{"github-", "GitHub", "Revoke it at github.com/settings/tokens (an App's or an organisation's in its own settings), then look at the security log for its use."},
	{"gitlab-", "GitLab", "Revoke it under Settings, Access tokens of the user, group or project that made it."},
	{"aws-", "AWS", "Deactivate the access key in IAM (aws iam update-access-key --status Inactive), look at CloudTrail for its use, then delete it."},
	{"azure-", "Microsoft Azure", "Regenerate the key or delete the client secret in the Azure portal."},
	{"gcp-", "Google Cloud", "Delete the key under APIs & Services, Credentials, or disable it with gcloud iam service-accounts keys delete."},
	{"slack-", "Slack", "Revoke it at api.slack.com/apps under the app's OAuth tokens or webhooks."},
	{"discord-", "Discord", "Reset the token at discord.com/developers/applications, or delete the webhook in the channel's settings."},
	{"microsoft-teams", "Microsoft Teams", "Remove the webhook under the channel's connectors or the workflow, and make a new one."},
	{"google-chat", "Google Chat", "Delete the webhook in the space's apps and integrations."},
	{"telegram-", "Telegram", "Send /revoke to @BotFather."},
	{"npm-", "npm", "Revoke it at npmjs.com under Access tokens, or with npm token revoke."},
	{"pypi-", "PyPI", "Remove it at pypi.org under Account settings, API tokens."},
	{"docker-pat", "Docker Hub", "Delete it at app.docker.com under Personal access tokens."},
	{"circleci-", "CircleCI", "Delete it under User settings, Personal API tokens."},
	{"buildkite-", "Buildkite", "Revoke it under Personal settings, API access tokens."},
	{"atlassian-", "Atlassian", "Revoke it at id.atlassian.com under Security, API tokens."},
	{"terraform-", "HCP Terraform", "Delete it at app.terraform.io under User or Team tokens."},
	{"hashicorp-tf", "HCP Terraform", "Delete it at app.terraform.io under User or Team tokens."},
	{"vault-", "HashiCorp Vault", "Revoke it with vault token revoke, and its children with it."},
	{"tailscale-", "Tailscale", "Revoke it at login.tailscale.com under Settings, Keys."},
	{"cloudflare-", "Cloudflare", "Roll or delete it at dash.cloudflare.com under My profile, API tokens."},
	{"dockerhub-swarm", "Docker Swarm", "Rotate it with docker swarm join-token --rotate."},
	{"stripe-", "Stripe", "Roll the key at dashboard.stripe.com/apikeys."},
	{"twilio-", "Twilio", "Promote a secondary auth token or delete the API key in the Twilio console."},
	{"openai-", "OpenAI", "Revoke it at platform.openai.com/api-keys."},
	{"huggingface-", "Hugging Face", "Invalidate it at huggingface.co/settings/tokens."},
	{"grafana-", "Grafana", "Delete it under Administration, Service accounts, or in Grafana Cloud's access policies."},
	{"digitalocean-", "DigitalOcean", "Delete it at cloud.digitalocean.com/account/api/tokens."},
	{"hetzner-", "Hetzner Cloud", "Delete it in the project's Security, API tokens."},
	{"linode-", "Akamai Linode", "Revoke it at cloud.linode.com/profile/tokens."},
	{"scaleway-", "Scaleway", "Delete the API key in the console under IAM."},
	{"sendgrid-", "SendGrid", "Delete it at app.sendgrid.com/settings/api_keys."},
	{"mailgun-", "Mailgun", "Reset it in the control panel under API security."},
	{"mailchimp-", "Mailchimp", "Disable it under Account, Extras, API keys."},
	{"datadog-", "Datadog", "Revoke it under Organization settings, API or application keys."},
	{"new-relic-", "New Relic", "Delete it at one.newrelic.com under API keys."},
	{"sentry-", "Sentry", "Revoke it under Settings, Auth tokens."},
	{"pulumi-", "Pulumi", "Delete it at app.pulumi.com/account/tokens."},
	{"doppler-", "Doppler", "Revoke it in the project's or workplace's access settings."},
	{"heroku-", "Heroku", "Revoke it with heroku authorizations:revoke, or regenerate the key under Account settings."},
	{"shopify-", "Shopify", "Uninstall and reinstall the app, or rotate the credentials in the partner dashboard."},
	{"rubygems-", "RubyGems", "Delete it at rubygems.org under Settings, API keys."},
	{"databricks-", "Databricks", "Revoke it under User settings, Developer, Access tokens."},
	{"postman-", "Postman", "Delete it under Settings, API keys."},
	{"linear-", "Linear", "Revoke it under Settings, API."},
	{"notion-", "Notion", "Regenerate the secret at notion.so/my-integrations."},
	{"planetscale-", "PlanetScale", "Delete it under Settings, Service tokens, or the branch's passwords."},
	{"flyio-", "Fly.io", "Revoke it with fly tokens revoke."},
	{"okta-", "Okta", "Revoke it under Security, API, Tokens."},
	{"1password-", "1Password", "Revoke the service account's token at 1password.com."},
	{"artifactory-", "JFrog", "Revoke it under Administration, Access tokens."},
	{"jfrog-", "JFrog", "Revoke it under Administration, Access tokens."},
	{"openshift-", "OpenShift", "Delete it with oc delete oauthaccesstokens."},
	{"kubernetes-bootstrap", "Kubernetes", "Delete it with kubeadm token delete."},
	{"k3s-", "K3s", "Rotate it with k3s token rotate."},
	{"rancher-", "Rancher", "Delete it under Account & API keys."},
	{"argocd-", "Argo CD", "Delete server.secretkey from argocd-secret and restart the server: every session ends."},
	{"wireguard-", "WireGuard", "Make a new key pair with wg genkey and hand the new public key to the peers."},
	{"confluent-", "Confluent", "Delete it with confluent api-key delete."},
	{"fastly-", "Fastly", "Revoke it under Account, API tokens."},
	{"netlify-", "Netlify", "Revoke it under User settings, Applications."},
	{"sonar-", "Sonar", "Revoke it under My account, Security."},
	{"snyk-", "Snyk", "Regenerate it under Account settings."},
	{"launchdarkly-", "LaunchDarkly", "Reset it under Account settings, Authorization."},
	{"supabase-", "Supabase", "Revoke it at supabase.com/dashboard/account/tokens."},
	{"anthropic-", "Anthropic", "Delete it at console.anthropic.com under API keys."},
	{"openrouter-", "OpenRouter", "Delete it at openrouter.ai under Keys."},
	{"groq-", "Groq", "Delete it at console.groq.com under API keys."},
	{"replicate-", "Replicate", "Disable it at replicate.com/account/api-tokens."},
	{"xai-", "xAI", "Disable it at console.x.ai under API keys."},
	{"langsmith-", "LangSmith", "Delete it under Settings, API keys."},
	{"infisical-", "Infisical", "Revoke it in the project's access control."},
	{"dotenvx-", "dotenvx", "Make a new key pair with dotenvx rotate, then change the values: who has this key reads every committed file."},
	{"dotenv-vault", "dotenv-vault", "Rotate it with dotenv-vault rotatekey."},
	{"elastic-", "Elastic", "Delete it under Organization, API keys."},
	{"pagerduty-", "PagerDuty", "Delete it under Integrations, API access keys."},
	{"vultr-", "Vultr", "Regenerate it at my.vultr.com under API."},
	{"ovh-", "OVHcloud", "Delete the application at api.ovh.com, or its consumer key."},
	{"talos-", "Talos", "Make new machine secrets with talosctl gen secrets and roll them out."},
	{"mozilla-", "Firefox", "Change the password at its site: the key to it lies in key4.db beside this file."},
	{"sourcegraph-", "Sourcegraph", "Delete it under Settings, Access tokens."},
	{"airtable-", "Airtable", "Delete it at airtable.com/create/tokens."},
	{"facebook-", "Meta", "Reset the app secret at developers.facebook.com under Settings, Basic."},
	{"octopus-", "Octopus Deploy", "Delete it under Profile, My API keys."},
	{"jenkins-", "Jenkins", "Change the credential at its service, and the controller's master key if that leaked too."},
}

// issuerOf finds a rule's issuer. A vendor whose settings nobody here has
// written down is named by what its pattern is called.
func issuerOf(rule, what string) (name, revoke string) {
	for _, i := range issuers {
		if strings.HasPrefix(rule, i.prefix) {
			return i.name, i.revoke
		}
	}
	vendor, _, _ := strings.Cut(what, " ")
	if !strings.HasPrefix(rule, strings.ToLower(vendor)+"-") || vendor == strings.ToLower(vendor) {
		return "", ""
	}
	return vendor, "Revoke it in the settings of " + vendor + " where it was made, and make a new one."
}
