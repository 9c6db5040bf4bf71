-- What Argo CD says of an Application's health. argocd-cm.yaml has the same script as a patch of Argo CD's ConfigMap; Argo CD's Helm chart
-- takes it in configs.cm, under resource.customizations.health.apps.example.com_Application, and its operator in resourceHealthChecks.
local status = obj.status or {}
if status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "Waiting for the operator to look at this generation" }
end
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready = conditions.Ready
if ready == nil then
  return { status = "Progressing", message = "Waiting for the operator to report" }
end
local message = ready.reason .. ": " .. (ready.message or "")
if ready.reason == "Paused" or ready.reason == "Suspended" then
  return { status = "Suspended", message = message }
end
if conditions.Stalled ~= nil and conditions.Stalled.status == "True" then
  return { status = "Degraded", message = message }
end
if ready.status == "True" then
  local degraded = conditions.Degraded
  if degraded ~= nil and degraded.status == "True" then
    message = degraded.reason .. ": " .. (degraded.message or "")
  end
  return { status = "Healthy", message = message }
end
return { status = "Progressing", message = message }
