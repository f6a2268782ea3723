"""Addresses of the exposition, under /fhir/."""

from django.urls import path

from . import jeton

urlpatterns = [
    path("jeton/", jeton.jeton, name="fhir_jeton"),
    path(".well-known/smart-configuration", jeton.configuration_smart, name="fhir_smart"),
]
