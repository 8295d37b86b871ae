"""Given names that are common where our languages are spoken, and are seldom anything else.

Few, and written down by hand: they carry what the words around a name do not. Names that are also
words of a language (Will, Mark, Rose, Grace, Hope) are left out.
"""

from __future__ import annotations

from typing import Final

GIVEN_NAMES: Final = frozenset(
    """
    Aaron Adam Adrian Agnes Aisha Alan Alba Albert Alberto Alejandro Alessandro Alessia Alex Alexander Alexandra
    Alfred Alice Alicia Alison Amanda Amelia Amy Ana Anaïs Andrea Andreas Andrew Andrés Angela Anita Anja Anke Anna
    Anne Annette Anthony Antoine Antonia Antonio António Arthur Astrid Aurélie Barbara Beatrice Beatriz Ben Benjamin
    Bernd Bernard Bianca Birgit Björn Bram Brenda Brian Bruno Camila Camille Carl Carla Carlo Carlos Carmen Carol
    Caroline Catarina Catherine Cecilia Céline Charles Charlotte Chiara Chloé Christian Christina Christine
    Christoph Christophe Christopher Claire Clara Claudia Clément Colin Cristina Daan Daniel Daniela Daniele Danielle
    David Deborah Denise Dennis Diana Diego Dieter Dirk Dominik Donald Dorothy Duarte Eduardo Edward Elena Eleanor
    Eleonora Elisa Elisabeth Elise Elizabeth Emily Emma Enrique Enzo Eric Erik Erika Esther Ethan Eva Evelyn Fabian
    Fabio Federica Federico Felipe Felix Femke Fernanda Fernando Filipa Filippo Florian Francesca Francesco
    Francisco François Françoise Frank Franz Frédéric Gabriel Gabriela Gareth Geoffrey George Gerald Gerard Gerda
    Gianni Giorgio Giovanni Giulia Giuseppe Gonçalo Greta Guido Guilherme Guillaume Gustavo Hannah Hannes Hans
    Harald Harold Heather Heike Heinrich Helen Helena Helga Hendrik Henri Henrik Henry Hugo Ian Ines Inês Ingrid
    Irene Isabel Isabella Isabelle Ivan Jacob Jacqueline Jacques James Jan Jane Janet Jasmin Javier Jean Jeff
    Jeffrey Jennifer Jens Jeremy Jeroen Jessica Joana Joanna João Joaquín Joe Johan Johanna Johannes John Jonas
    Jonathan Jorge José Joseph Joshua Juan Judith Julia Julian Juliana Julie Julien Jürgen Justin Karen Karin Karl
    Karla Kate Katharina Katherine Kathleen Kathrin Katja Katrin Keith Kelly Kenneth Kerstin Kevin Kimberly Klaus
    Lars Larissa Laura Lauren Laurence Laurent Lea Lena Leo Leon Leonardo Leonie Leonor Léa Linda Lisa Lorenzo
    Louis Louise Luc Luca Lucas Lucía Lucie Luigi Luis Luís Luisa Lukas Maarten Maja Manuel Manuela Manon Marc Marcel
    Marcello Marco Marcos Margaret Margarida Maria María Mariana Marie Marieke Marina Mario Marion Marjan Markus
    Marta Martha Martin Martina Mary Massimo Mathieu Mathilde Mats Matteo Matthew Matthias Maurice Mauricio Max
    Maximilian Megan Melanie Melissa Michael Michel Michele Michelle Miguel Miriam Mohamed Mohammed Monica Monika
    Nadine Nancy Natalia Natalie Nathalie Nicholas Nicola Nicolas Nicole Niels Nina Noah Nora Norbert Nuno Olga Oliver
    Olivia Olivier Oscar Pablo Paola Paolo Pascal Patricia Patrick Paul Paula Pauline Paulo Pedro Peter Petra Philip
    Philipp Philippe Pierre Pieter Priya Rachel Rafael Rainer Ralf Raquel Rebecca Regina Renata Renate René Ricardo
    Riccardo Richard Rita Robert Roberta Roberto Robin Rodrigo Roger Roland Ronald Rosa Ruben Russell Ruth Ryan
    Sabine Salvatore Samantha Samuel Sandra Sara Sarah Sebastian Sébastien Sergio Sharon Silke Silvia Simon Simone
    Sofia Sofía Sonia Sophia Sophie Stefan Stefania Stefano Steffen Stephanie Stéphane Stephen Steven Stuart Susan
    Susana Susanne Sven Sylvia Sylvie Tamara Tanja Teresa Theo Theresa Thiago Thierry Thomas Tiago Tim Timothy Tobias
    Tom Tomás Torsten Ulrich Ulrike Ursula Ute Uwe Valentina Valérie Vanessa Vasco Vera Verena Veronica Victor
    Victoria Vincent Vincenzo Virginie Vittoria Walter Werner Wilhelm Willem William Wolfgang Wouter Xavier Yannick
    Yolanda Yves Yvonne Zoe
    """.split()
)

FAMILY_NAMES_ZH: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
"""The hundred most common family names of China, one character each."""
