package kubetest

import "testing"

func TestKubeConforms(t *testing.T) { Each(t, Conform) }
