from django.http import HttpResponse
from django.urls import path

urlpatterns = [
    path("dossiers/<int:numero>/", lambda r, numero: HttpResponse(""), name="dossier"),
    path("taches/<int:numero>/", lambda r, numero: HttpResponse(""), name="tache"),
]
