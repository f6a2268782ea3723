from django.urls import path

from .views import ConnexionView, DeconnexionView, MotDePasseView

urlpatterns = [
    path("connexion/", ConnexionView.as_view(), name="connexion"),
    path("deconnexion/", DeconnexionView.as_view(), name="deconnexion"),
    path("mot-de-passe/", MotDePasseView.as_view(), name="mot_de_passe"),
]
