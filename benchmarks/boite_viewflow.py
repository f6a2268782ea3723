"""The addresses of the product, and viewflow's own screens on the same flow: its queue is what ours is
measured beside."""

from django.urls import path
from viewflow.urls import Site
from viewflow.workflow.flow import FlowAppViewset

from backoffice.config.urls import urlpatterns as les_notres
from workflows.flows import DossierFlow

site = Site(title="viewflow", viewsets=[FlowAppViewset(DossierFlow, app_name="flux")])
urlpatterns = [path("viewflow/", site.urls), *les_notres]
